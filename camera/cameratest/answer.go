package cameratest

import (
	"bufio"
	"fmt"
	"net"
	"net/textproto"
	"strings"
	"testing"
)

// Answer starts something that is no camera: handle gets each connection, which is closed when it returns or the test ends.
// It gives the address with port.
func Answer(tb testing.TB, handle func(net.Conn)) string {
	tb.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	stop := make(chan struct{})
	tb.Cleanup(func() {
		close(stop)
		_ = l.Close()
	})
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				over := make(chan struct{})
				go func() {
					defer close(over)
					handle(c)
				}()
				select {
				case <-over:
				case <-stop:
				}
				_ = c.Close()
			}()
		}
	}()
	return l.Addr().String()
}

// Says is a handler that says text and stays.
func Says(text string) func(net.Conn) {
	return func(c net.Conn) {
		_, _ = c.Write([]byte(text))
		stay(c)
	}
}

// stay reads until the peer goes.
func stay(c net.Conn) {
	b := make([]byte, 4096)
	for {
		if _, err := c.Read(b); err != nil {
			return
		}
	}
}

// Replies is a handler that answers each request with what reply gives for its method; %s in it is the CSeq.
func Replies(reply func(method string) string) func(net.Conn) {
	return func(c net.Conn) {
		r := textproto.NewReader(bufio.NewReader(c))
		for {
			line, err := r.ReadLine()
			if err != nil {
				return
			}
			head, err := r.ReadMIMEHeader()
			if err != nil {
				return
			}
			method, _, _ := strings.Cut(line, " ")
			if _, err := fmt.Fprintf(c, reply(method), head.Get("CSeq")); err != nil {
				return
			}
		}
	}
}
