// Command sink is what the benchmark runs beside the tools: an S3 and Supabase server that throws every byte away (serve), a
// launcher that measures one process tree (run), and a proxy that makes a network slower (proxy).
package main

import (
	"fmt"
	"os"
)

func main() {
	if len(os.Args) < 2 {
		usage()
	}
	switch os.Args[1] {
	case "serve":
		serve(os.Args[2:])
	case "run":
		run(os.Args[2:])
	case "proxy":
		proxy(os.Args[2:])
	default:
		usage()
	}
}

func usage() {
	fmt.Fprintln(os.Stderr, "usage: sink serve|run|proxy [options]")
	os.Exit(2)
}

func fatal(err error) {
	fmt.Fprintln(os.Stderr, "sink:", err)
	os.Exit(1)
}
