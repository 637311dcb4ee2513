package main

import (
	"encoding/json"
	"flag"
	"io"
	"net"
	"os"
	"time"
)

type packet struct {
	due  time.Time
	data []byte
}

// proxy passes bytes on, each way half the latency late, as a longer line would: unlike a server that thinks longer, it
// delays the steps of a TLS handshake too. It ends with its standard input.
func proxy(arguments []string) {
	flags := flag.NewFlagSet("proxy", flag.ExitOnError)
	to := flags.String("to", "", "address to pass connections on to")
	latency := flags.Duration("latency", 30*time.Millisecond, "round-trip time to add")
	_ = flags.Parse(arguments)
	raiseFileLimit()
	listener := listen()
	_ = json.NewEncoder(os.Stdout).Encode(map[string]string{"address": listener.Addr().String()})
	go func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				time.Sleep(time.Millisecond)
				continue
			}
			go join(client.(*net.TCPConn), *to, *latency/2)
		}
	}()
	_, _ = io.Copy(io.Discard, os.Stdin)
}

func join(client *net.TCPConn, to string, delay time.Duration) {
	server, err := net.Dial("tcp", to)
	if err != nil {
		client.Close()
		return
	}
	go pass(client, server.(*net.TCPConn), delay)
	pass(server.(*net.TCPConn), client, delay)
}

// pass reads ahead as far as the line is long: 64 pieces under way at most.
func pass(from, to *net.TCPConn, delay time.Duration) {
	line := make(chan packet, 64)
	go func() {
		defer close(line)
		for {
			data := make([]byte, 64<<10)
			n, err := from.Read(data)
			if n > 0 {
				line <- packet{due: time.Now().Add(delay), data: data[:n]}
			}
			if err != nil {
				return
			}
		}
	}()
	for piece := range line {
		time.Sleep(time.Until(piece.due))
		if _, err := to.Write(piece.data); err != nil {
			from.Close()
		}
	}
	_ = to.CloseWrite()
	_ = from.CloseRead()
}
