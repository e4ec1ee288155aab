package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"strings"
)

// handsHelp is what somebody at a pretend door is told.
const handsHelp = `You stand at the pretend door. Type what your hands do, and Enter, when the walk test asks for it:
  open     open the door from inside (its knob draws the bolt)     close    close it until it latches
  block    put something into the bolt's hole                      free     take it out
  unplug   pull the camera's plug                                  plug     put it back
`

// hands does to a pretend door what is typed, until in or ctx ends: a walk test needs somebody at its door.
func (p walker) hands(ctx context.Context, in io.Reader, out io.Writer) {
	lines := bufio.NewScanner(in)
	for lines.Scan() && ctx.Err() == nil {
		done, err := p.hand(strings.ToLower(strings.TrimSpace(lines.Text())))
		if err != nil {
			done = err.Error()
		}
		_, _ = fmt.Fprintln(out, done) // nobody reads it any more
	}
}

func (p walker) hand(word string) (done string, err error) {
	switch word {
	case "open":
		p.open()
		return "The door stands open.", nil
	case "close":
		return "The door is closed.", p.shut()
	case "block":
		p.home.Jam(true)
		return "The bolt's hole is blocked.", nil
	case "free":
		p.home.Jam(false)
		return "The bolt's hole is free.", nil
	case "unplug":
		p.camera.Unplug()
		return "The camera has no power.", nil
	case "plug":
		return "The camera has power.", p.camera.Plug()
	}
	return strings.TrimSuffix(handsHelp, "\n"), nil
}
