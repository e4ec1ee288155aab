package setup

import (
	"errors"
	"fmt"
	"reflect"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// errShape says that a configuration is written in a way that this package does not add to.
var errShape = errors.New("the configuration is written in a way that this page cannot add to")

// doorText is the door as one item of the list doors, not indented.
func doorText(name, driver string, settings any, cameras []yaml.MapSlice) (string, error) {
	door := yaml.MapSlice{
		{Key: "name", Value: name},
		{Key: "lock", Value: yaml.MapSlice{{Key: driver, Value: settings}}},
		{Key: "cameras", Value: cameras},
	}
	b, err := yaml.MarshalWithOptions([]any{door}, yaml.Indent(2), yaml.IndentSequence(true), yaml.OmitZero())
	if err != nil {
		return "", fmt.Errorf("the door's text: %w", err)
	}
	// The encoder indents a list in a list of nothing, too.
	var out strings.Builder
	for line := range strings.Lines(string(b)) {
		out.WriteString(strings.TrimPrefix(line, "  "))
	}
	return out.String(), nil
}

// indent puts n spaces before each line.
func indent(text string, n int) string {
	var out strings.Builder
	for line := range strings.Lines(text) {
		out.WriteString(strings.Repeat(" ", n) + line)
	}
	return out.String()
}

// fresh is a whole new configuration.
func fresh(id, state, env string, sv service, door string) (string, error) {
	quoted := func(v any) string {
		b, err := yaml.Marshal(v)
		if err != nil {
			return fmt.Sprintf("%q", v) // a text always marshals
		}
		return strings.TrimSuffix(string(b), "\n")
	}
	text := "# A hub's configuration, made by \"eyebolt hub setup\". Unknown keys are refused; docs/hub.example.yaml has all of them.\n" +
		"# ${NAME} is taken from the environment, or from " + env + " beside this file.\n\n" +
		"id: " + quoted(id) + "\nstate: " + quoted(state) + " # the record, the keys, the clips: back it up\n\n" +
		"service:\n  url: " + quoted(sv.bus) + "\n\npasskeys: # the name that the apps are served under\n  id: " + quoted(sv.id) + "\n  origins:\n    - " + quoted(sv.origin) + "\n\n"
	if sv.loopback {
		text += "live:\n  loopback: true # hub and browser are on one machine\n\n"
	}
	text += "doors:\n" + indent(door, 2)
	return text, added("", text, door)
}

// addDoor puts the door behind the doors that old has; everything else stays byte for byte.
func addDoor(old, door string) (string, error) {
	file, err := parser.ParseBytes([]byte(old), 0)
	if err != nil || len(file.Docs) != 1 {
		return "", errShape
	}
	top, ok := file.Docs[0].Body.(*ast.MappingNode)
	if !ok {
		return "", errShape
	}
	lines := strings.SplitAfter(old, "\n")
	end, column := len(lines), 0
	for i, v := range top.Values {
		if v.Key.String() != "doors" {
			continue
		}
		list, ok := v.Value.(*ast.SequenceNode)
		if !ok || list.IsFlowStyle || len(list.Values) == 0 || list.Start == nil {
			return "", errShape
		}
		column = list.Start.Position.Column
		if i+1 < len(top.Values) {
			end = top.Values[i+1].Key.GetToken().Position.Line - 1
		}
	}
	if column == 0 || end > len(lines) {
		return "", errShape
	}
	for end > 0 { // comments and empty lines before the next key belong to it
		if t := strings.TrimSpace(lines[end-1]); t != "" && !strings.HasPrefix(t, "#") {
			break
		}
		end--
	}
	head, tail := strings.Join(lines[:end], ""), strings.Join(lines[end:], "")
	if !strings.HasSuffix(head, "\n") {
		head += "\n"
	}
	text := head + indent(door, column-1) + tail
	return text, added(old, text, door)
}

// added proves, by reading both, that text says what old says and one door more, as its last.
func added(old, text, door string) error {
	var was, is map[string]any
	var one []any
	if yaml.Unmarshal([]byte(old), &was) != nil || yaml.Unmarshal([]byte(text), &is) != nil || yaml.Unmarshal([]byte(door), &one) != nil || len(one) != 1 {
		return errShape
	}
	before, _ := was["doors"].([]any)
	after, _ := is["doors"].([]any)
	if len(after) != len(before)+1 || !reflect.DeepEqual(after[len(before)], one[0]) {
		return errShape
	}
	for i := range before {
		if !reflect.DeepEqual(before[i], after[i]) {
			return errShape
		}
	}
	delete(was, "doors")
	delete(is, "doors")
	if old != "" && !reflect.DeepEqual(was, is) {
		return errShape
	}
	return nil
}
