package main

import (
	"crypto/tls"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"syscall"
	"time"
)

// 16 KiB of headers and body of a small object fit into one read.
const bufferSize = 128 << 10

var buffers = sync.Pool{New: func() any { return new([bufferSize]byte) }}

// serve listens in plain and with TLS until standard input ends: whoever started it need not remember to stop it.
func serve(arguments []string) {
	flags := flag.NewFlagSet("serve", flag.ExitOnError)
	latency := flags.Duration("latency", 0, "wait this long before each answer")
	failShare := flags.Float64("fail-share", 0, "share of object requests answered with 503 SlowDown, 0 to 1")
	rate := flags.Float64("rate", 0, "object requests a second above which the answer is 503 SlowDown; 0: no limit")
	caFile := flags.String("ca", "sink-ca.pem", "where to write the certificate authority to trust")
	_ = flags.Parse(arguments)
	raiseFileLimit()

	certificate, err := makeCertificates(*caFile)
	if err != nil {
		fatal(err)
	}
	current.Store(newMeasurement(behaviour{latency: *latency, failShare: *failShare, rate: *rate}))
	plain, secure, control := listen(), listen(), listen()
	go accept(plain, nil)
	go accept(secure, &tls.Config{Certificates: []tls.Certificate{certificate}})
	go serveControl(control)
	_ = json.NewEncoder(os.Stdout).Encode(map[string]string{
		"plain":   fmt.Sprintf("http://%s", plain.Addr()),
		"tls":     fmt.Sprintf("https://%s", secure.Addr()),
		"control": fmt.Sprintf("http://%s", control.Addr()),
		"ca":      *caFile,
	})
	_, _ = io.Copy(io.Discard, os.Stdin)
}

// The backlog is the kernel's own maximum (net.core.somaxconn): Go asks for that.
func listen() net.Listener {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fatal(err)
	}
	return listener
}

func raiseFileLimit() {
	var limit syscall.Rlimit
	if syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit) == nil {
		limit.Cur = limit.Max
		_ = syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit)
	}
}

func accept(listener net.Listener, config *tls.Config) {
	for {
		tcp, err := listener.Accept()
		if err != nil {
			// Out of file descriptors, most likely: some will be free in a moment.
			time.Sleep(time.Millisecond)
			continue
		}
		current.Load().connected()
		go serveConnection(tcp.(*net.TCPConn), config)
	}
}

func serveConnection(tcp *net.TCPConn, config *tls.Config) {
	buffer := buffers.Get().(*[bufferSize]byte)
	defer buffers.Put(buffer)
	defer tcp.Close()
	c := connection{stream: tcp, buffer: buffer[:]}
	if config != nil {
		c.stream = tls.Server(tcp, config)
	} else {
		c.drop = dropper(tcp)
	}
	for c.serveRequest() == nil {
	}
}

// serveRequest takes one request and answers it; an error ends the connection.
func (c *connection) serveRequest() error {
	head, err := c.readHead()
	if err != nil {
		return err
	}
	asked, err := parseHead(head)
	if err != nil {
		return err
	}
	now := current.Load()
	now.begin(asked.kind)
	defer now.end()
	if asked.expectsContinue && c.start == c.end {
		if _, err := c.stream.Write(continueAnswer); err != nil {
			return err
		}
	}
	if err := c.discardBody(asked, now); err != nil {
		return err
	}
	refused := asked.kind.isObject() && now.refuses()
	if now.latency > 0 {
		time.Sleep(now.latency)
	}
	// Counted before the answer: whoever has the answer and asks for the figures must find it in them.
	now.answered(asked.kind, refused)
	if _, err := c.stream.Write(answerTo(asked, refused)); err != nil {
		return err
	}
	if asked.closes {
		return io.EOF
	}
	return nil
}
