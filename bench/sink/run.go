package main

import (
	"encoding/json"
	"errors"
	"flag"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"syscall"
	"time"
)

// treeUsage is what one process tree took.
type treeUsage struct {
	WallS    float64 `json:"wallS"`
	UserS    float64 `json:"userS"`
	SystemS  float64 `json:"systemS"`
	MaxRssKB int64   `json:"maxRssKB"` // of the largest process
	ExitCode int     `json:"exitCode"` // 128 + the signal's number where one ended it
	TimedOut bool    `json:"timedOut"`
}

// run starts a command and writes what its process tree took. It is a program of its own because of the peak RSS: a
// child inherits as its peak what the parent had in memory when it was started, and this parent has next to nothing. A byte
// on standard input sends the command a SIGTERM; its end kills the tree, which so never outlives who started it.
func run(arguments []string) {
	flags := flag.NewFlagSet("run", flag.ExitOnError)
	out := flags.String("out", "", "file for the figures")
	limit := flags.Duration("limit", 10*time.Minute, "kill the tree after this long")
	_ = flags.Parse(arguments)

	becomeSubreaper()
	command := exec.Command(flags.Arg(0), flags.Args()[1:]...)
	command.Stdout, command.Stderr = os.Stdout, os.Stderr
	command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	begin := time.Now()
	if err := command.Start(); err != nil {
		fatal(err)
	}
	group := -command.Process.Pid
	var used treeUsage
	timedOut := time.AfterFunc(*limit, func() { _ = syscall.Kill(group, syscall.SIGKILL) })
	go func() {
		if _, err := os.Stdin.Read(make([]byte, 1)); err == nil {
			_ = command.Process.Signal(syscall.SIGTERM)
			_, _ = io.Copy(io.Discard, os.Stdin)
		}
		_ = syscall.Kill(group, syscall.SIGKILL)
	}()
	// Ctrl-C ends the parent, and with it standard input; this process must live to see that.
	signal.Ignore(os.Interrupt)
	status, err := waitFor(command.Process.Pid, &used)
	if err != nil {
		fatal(err)
	}
	used.WallS = time.Since(begin).Seconds()
	used.TimedOut = !timedOut.Stop()
	used.ExitCode = status.ExitStatus()
	if status.Signaled() {
		used.ExitCode = 128 + int(status.Signal())
	}
	// Whatever it left behind belongs to it too, and must not run on beside the next tool.
	_ = syscall.Kill(group, syscall.SIGKILL)
	for {
		if _, err := waitFor(-1, &used); err != nil {
			break
		}
	}
	file, err := os.Create(*out)
	if err == nil {
		err = errors.Join(json.NewEncoder(file).Encode(used), file.Close())
	}
	if err != nil {
		fatal(err)
	}
}

// waitFor reaps one child, with those it reaped itself, and adds what they took.
func waitFor(pid int, used *treeUsage) (syscall.WaitStatus, error) {
	var status syscall.WaitStatus
	var took syscall.Rusage
	for {
		_, err := syscall.Wait4(pid, &status, 0, &took)
		if err == syscall.EINTR {
			continue
		}
		if err != nil {
			return status, err
		}
		used.UserS += time.Duration(took.Utime.Nano()).Seconds()
		used.SystemS += time.Duration(took.Stime.Nano()).Seconds()
		used.MaxRssKB = max(used.MaxRssKB, maxRssKB(took))
		return status, nil
	}
}
