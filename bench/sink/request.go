package main

import (
	"bytes"
	"errors"
	"io"
	"net"
	"strconv"
)

// connection reads requests from a stream through one buffer; what is between start and end was read and not yet used.
type connection struct {
	stream     net.Conn
	buffer     []byte
	start, end int
	// drop throws away up to n bytes that are still in the kernel without copying them; nil where that is impossible.
	drop func(n int) (int, error)
}

type request struct {
	kind kind
	size int64
	// Of Supabase's resumable uploads.
	uploadLength, uploadOffset int64
	// Bucket and key of an object stored as a whole at Supabase.
	storedKey       string
	chunked         bool
	expectsContinue bool
	closes          bool
}

var (
	errMalformed = errors.New("malformed request")
	endOfHead    = []byte("\r\n\r\n")
	lineEnd      = []byte("\r\n")
)

// fill reads more behind what is there.
func (c *connection) fill() error {
	if c.start == c.end {
		c.start, c.end = 0, 0
	} else if c.end == len(c.buffer) {
		if c.start == 0 {
			return errMalformed
		}
		c.end = copy(c.buffer, c.buffer[c.start:c.end])
		c.start = 0
	}
	n, err := c.stream.Read(c.buffer[c.end:])
	c.end += n
	if n > 0 {
		return nil
	}
	return err
}

func (c *connection) readHead() ([]byte, error) {
	for {
		if at := bytes.Index(c.buffer[c.start:c.end], endOfHead); at >= 0 {
			head := c.buffer[c.start : c.start+at+2]
			c.start += at + len(endOfHead)
			return head, nil
		}
		if err := c.fill(); err != nil {
			return nil, err
		}
	}
}

// parseHead takes in the few things the sink has to know, without an allocation.
func parseHead(head []byte) (request, error) {
	line, rest, _ := bytes.Cut(head, lineEnd)
	method, target, ok := bytes.Cut(line, []byte(" "))
	if !ok {
		return request{}, errMalformed
	}
	target, version, ok := bytes.Cut(target, []byte(" "))
	if !ok {
		return request{}, errMalformed
	}
	asked := request{kind: kindOf(method, target), closes: string(version) == "HTTP/1.0"}
	for len(rest) > 0 {
		line, rest, _ = bytes.Cut(rest, lineEnd)
		name, value, _ := bytes.Cut(line, []byte(":"))
		switch {
		case is(name, "content-length"):
			size, err := strconv.ParseInt(string(bytes.TrimSpace(value)), 10, 64)
			if err != nil {
				return request{}, errMalformed
			}
			asked.size = size
		case is(name, "upload-length"):
			asked.uploadLength, _ = strconv.ParseInt(string(bytes.TrimSpace(value)), 10, 64)
		case is(name, "upload-offset"):
			asked.uploadOffset, _ = strconv.ParseInt(string(bytes.TrimSpace(value)), 10, 64)
		case is(name, "transfer-encoding"):
			asked.chunked = is(bytes.TrimSpace(value), "chunked")
		case is(name, "expect"):
			asked.expectsContinue = is(bytes.TrimSpace(value), "100-continue")
		case is(name, "connection"):
			asked.closes = asked.closes || is(bytes.TrimSpace(value), "close")
		}
	}
	if asked.kind == storeObject {
		asked.storedKey = keyIn(target)
	}
	if asked.kind == appendResumable && asked.uploadOffset+asked.size == lengthIn(target) {
		asked.kind = completeResumable
	}
	return asked, nil
}

func is(text []byte, lowerCase string) bool {
	return len(text) == len(lowerCase) && bytes.EqualFold(text, []byte(lowerCase))
}

// discardBody reads the body to its end. The framing of aws-chunked is part of its content and goes the same way.
func (c *connection) discardBody(asked request, now *measurement) error {
	if !asked.chunked {
		return c.discard(asked.size, now)
	}
	for {
		line, err := c.readLine()
		if err != nil {
			return err
		}
		digits, _, _ := bytes.Cut(line, []byte(";"))
		size, err := strconv.ParseInt(string(digits), 16, 64)
		if err != nil {
			return errMalformed
		}
		if size == 0 {
			return c.discardTrailer()
		}
		if err := c.discard(size, now); err != nil {
			return err
		}
		if err := c.discard(int64(len(lineEnd)), nil); err != nil {
			return err
		}
	}
}

func (c *connection) discardTrailer() error {
	for {
		line, err := c.readLine()
		if err != nil || len(line) == 0 {
			return err
		}
	}
}

func (c *connection) readLine() ([]byte, error) {
	for {
		if at := bytes.Index(c.buffer[c.start:c.end], lineEnd); at >= 0 {
			line := c.buffer[c.start : c.start+at]
			c.start += at + len(lineEnd)
			return line, nil
		}
		if err := c.fill(); err != nil {
			return nil, err
		}
	}
}

func (c *connection) discard(size int64, now *measurement) error {
	for size > 0 {
		n, err := c.discardSome(size)
		if n == 0 {
			if err == nil {
				err = io.ErrUnexpectedEOF
			}
			return err
		}
		size -= int64(n)
		if now != nil {
			now.received(n)
		}
	}
	return nil
}

func (c *connection) discardSome(size int64) (int, error) {
	if c.start < c.end {
		n := int(min(size, int64(c.end-c.start)))
		c.start += n
		return n, nil
	}
	n := int(min(size, int64(len(c.buffer))))
	if c.drop != nil {
		return c.drop(n)
	}
	c.start, c.end = 0, 0
	return c.stream.Read(c.buffer[:n])
}
