package uplink

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"testing"
	"time"
)

// A rough uplink drops, doubles and reorders whole messages, never a part of one and never a line without a message; a smooth one passes all
// (T23).
func TestARoughUplinkTakesMessagesWhole(t *testing.T) {
	far, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer far.Close()
	u, err := Start(far.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer u.Close()
	near, err := net.Dial("tcp", u.Addr())
	if err != nil {
		t.Fatal(err)
	}
	defer near.Close()
	end, err := far.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer end.Close()
	_ = end.SetDeadline(time.Now().Add(30 * time.Second))
	body := func(n int) string { return fmt.Sprintf("%d\r\nPING %s", n, strings.Repeat("x", n)) } // it looks like a line, and is none
	say := func(from, to int) {
		for n := from; n < to; n++ {
			if _, err := fmt.Fprintf(near, "PUB hub.a.beat _INBOX.x %d\r\n%s\r\nPING\r\n", len(body(n)), body(n)); err != nil {
				t.Error(err)
				return
			}
		}
	}
	in := bufio.NewReader(end)
	pings := 0
	next := func() (n int) {
		for {
			line, err := in.ReadString('\n')
			if err != nil {
				t.Fatal(err)
			}
			if line == "PING\r\n" {
				pings++
				continue
			}
			size := 0
			if _, err := fmt.Sscanf(line, "PUB hub.a.beat _INBOX.x %d\r\n", &size); err != nil {
				t.Fatalf("%q: %v", line, err)
			}
			b := make([]byte, size+2)
			if _, err := io.ReadFull(in, b); err != nil {
				t.Fatal(err)
			}
			if _, err := fmt.Sscan(string(b), &n); err != nil || string(b) != body(n)+"\r\n" {
				t.Fatalf("%q is no message that was sent (%v)", b, err)
			}
			return n
		}
	}
	const calm, wild = 50, 600
	say(0, calm)
	for want := range calm {
		if got := next(); got != want {
			t.Fatalf("a smooth uplink gives message %d, want %d", got, want)
		}
	}
	u.Roughen(true, 1)
	go say(calm, calm+wild)
	var got []int
	for len(got) < wild*85/100 {
		got = append(got, next())
	}
	said := u.Said()
	if slices.IsSorted(got) {
		t.Error("nothing was reordered")
	}
	seen := map[int]int{}
	twice := 0
	for _, n := range got {
		if seen[n]++; seen[n] == 2 {
			twice++
		}
	}
	if said.Dropped == 0 || said.Doubled == 0 || said.Late == 0 || twice == 0 || said.Passed+said.Dropped+said.Doubled != wild || pings != calm+wild {
		t.Errorf("%+v, %d came twice, %d lines of %d; want some of each, and every line", said, twice, pings, calm+wild)
	}
	u.Roughen(false, 0)
	go say(9999, 10_000)
	for next() != 9999 { // what was on its way comes as well
	}
}
