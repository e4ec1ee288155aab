// Package mutate writes small faults into Go sources, all of them at once, each asleep until its number is chosen: conditions negated,
// always and never, comparisons moved to their neighbour, cases and statements left out. A test builds the changed sources beside the
// real ones, wakes one fault after the other, and sees whether its judges notice (mutation testing: DeMillo, Lipton, Sayward, "Hints on
// Test Data Selection", 1978). Nothing in the product is changed.
package mutate

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
	"strings"
)

// Fault is one small change of one place of a source.
type Fault struct {
	Number int
	Name   string // file, function, what: stable while the line stays as it is
	Line   int    // of the source as it is
}

// Rules say which faults are made beside those of every source.
type Rules struct {
	Skip   func(function string) bool // functions that are left alone; nil for none
	Others map[string]bool            // names of one type's values, each replaced by the next where it is compared or entered
	Enters string                     // the call whose first argument is such a value
	Asks   string                     // a call whose first argument is a yes or no
}

// Set collects the faults of several sources; their numbers count on.
type Set struct {
	Faults []Fault
	rules  Rules
	seen   map[string]int
}

// New begins a set.
func New(r Rules) *Set { return &Set{rules: r, seen: map[string]int{}} }

// Hooks is the source that a changed package needs beside its own; mutant, an int, is the number of the fault that is awake, below zero
// for none, and has to be declared beside it. A package with Rules.Others declares mutantNext(id int, v T) T, too.
func Hooks(pkg string) string { return "package " + pkg + hooks }

const hooks = `

import "reflect"

// mutantIf is e, or one of three faults of it: not e, always true, always false.
func mutantIf(id int, e bool) bool {
	switch mutant - id {
	case 0:
		return !e
	case 1:
		return true
	case 2:
		return false
	}
	return e
}

// mutantEdge is a comparison, or with the fault its neighbour: < for <=, and so on.
func mutantEdge(id int, e, equal bool) bool { return e != (mutant == id && equal) }

// mutantKeep is the new value, or with the fault the old one.
func mutantKeep[T any](id int, old, value T) T {
	if mutant == id {
		return old
	}
	return value
}

// mutantMiss is v, or with the fault a value that nothing has; tag is what it is compared with, and says the type.
func mutantMiss[T any](id int, tag, v T) T {
	if mutant != id {
		return v
	}
	switch x := reflect.ValueOf(&v).Elem(); {
	case x.Kind() == reflect.String:
		x.SetString("\x00 no such word")
	case x.CanInt():
		x.SetInt(-1)
	case x.CanUint():
		x.SetUint(255)
	}
	return v
}
`

// insertion is text to be put before the byte at: the beginning or the end of what is wrapped.
type insertion struct {
	at    int
	end   bool
	other int // where the wrapped text's other side is
	order int // what is wrapped later, of the same text, lies outside
	text  string
}

// compare puts ends before beginnings where both stand before the same byte, so that what lies inside closes first and opens last.
func (a insertion) compare(b insertion) int {
	switch {
	case a.at != b.at:
		return a.at - b.at
	case a.end != b.end && a.end:
		return -1
	case a.end != b.end:
		return 1
	case a.other != b.other:
		return b.other - a.other
	case a.end:
		return a.order - b.order
	}
	return b.order - a.order
}

// source is one file while faults are written into it.
type source struct {
	*Set
	fset  *token.FileSet
	file  string
	src   []byte
	in    string // the function it is in
	texts []insertion
	alone map[ast.Node]bool // what is no statement of its own
}

// File is src with every fault of it asleep in it. Its name begins the faults' names.
func (s *Set) File(name string, src []byte) ([]byte, error) {
	fset := token.NewFileSet()
	f, err := parser.ParseFile(fset, name, src, parser.ParseComments)
	if err != nil {
		return nil, err
	}
	m := &source{Set: s, fset: fset, file: name, src: src, alone: map[ast.Node]bool{}}
	for _, d := range f.Decls {
		if fn, ok := d.(*ast.FuncDecl); ok && fn.Body != nil && (s.rules.Skip == nil || !s.rules.Skip(fn.Name.Name)) {
			m.in = fn.Name.Name
			ast.Inspect(fn.Body, m.visit)
		}
	}
	slices.SortStableFunc(m.texts, insertion.compare)
	var out bytes.Buffer
	at := 0
	for _, x := range m.texts {
		out.Write(src[at:x.at])
		out.WriteString(x.text)
		at = x.at
	}
	out.Write(src[at:])
	return out.Bytes(), nil
}

func (m *source) text(n ast.Node) string { return string(m.src[m.off(n.Pos()):m.off(n.End())]) }
func (m *source) off(p token.Pos) int    { return m.fset.Position(p).Offset }

// add makes the next fault and gives its number.
func (m *source) add(at ast.Node, what string) int {
	name := m.file + " " + m.in + ": " + strings.Join(strings.Fields(what), " ")
	m.seen[name]++
	if n := m.seen[name]; n > 1 {
		name += fmt.Sprintf(" (%d)", n)
	}
	number := len(m.Faults)
	m.Faults = append(m.Faults, Fault{number, name, m.fset.Position(at.Pos()).Line})
	return number
}

// wrap puts before and after around n.
func (m *source) wrap(n ast.Node, before, after string) {
	k := len(m.texts)
	from, to := m.off(n.Pos()), m.off(n.End())
	m.texts = append(m.texts, insertion{from, false, to, k, before}, insertion{to, true, from, k, after})
}

// condition makes the faults of a yes or no.
func (m *source) condition(e ast.Expr) {
	switch x := e.(type) {
	case *ast.ParenExpr:
		m.condition(x.X)
		return
	case *ast.BinaryExpr:
		if x.Op == token.LAND || x.Op == token.LOR {
			m.condition(x.X)
			m.condition(x.Y)
		}
		switch x.Op {
		case token.LSS, token.LEQ, token.GTR, token.GEQ:
			n := m.add(e, "`"+m.text(e)+"` with its neighbour")
			m.wrap(e, fmt.Sprintf("mutantEdge(%d, ", n), fmt.Sprintf(", %s == %s)", m.text(x.X), m.text(x.Y)))
		}
	}
	t := m.text(e)
	n := m.add(e, "`"+t+"` negated")
	m.add(e, "`"+t+"` always")
	m.add(e, "`"+t+"` never")
	m.wrap(e, fmt.Sprintf("mutantIf(%d, ", n), ")")
}

// next makes the fault of another value, if e is one of Rules.Others.
func (m *source) next(e ast.Expr, where string) {
	if id, ok := e.(*ast.Ident); ok && m.rules.Others[id.Name] {
		n := m.add(e, "another phase than "+id.Name+" in `"+where+"`")
		m.wrap(e, fmt.Sprintf("mutantNext(%d, ", n), ")")
	}
}

// statement makes the fault of a statement left out.
func (m *source) statement(s ast.Stmt) {
	if m.alone[s] {
		return
	}
	n := m.add(s, "without `"+m.text(s)+"`")
	m.wrap(s, fmt.Sprintf("if mutant != %d { ", n), " }")
}

// cases makes the faults of a switch: each of its cases missed.
func (m *source) cases(x *ast.SwitchStmt) {
	called := false // a tag that is a call is not called twice
	if x.Tag != nil {
		ast.Inspect(x.Tag, func(n ast.Node) bool {
			_, call := n.(*ast.CallExpr)
			called = called || call
			return true
		})
	}
	for _, c := range x.Body.List {
		for _, e := range c.(*ast.CaseClause).List {
			if x.Tag == nil {
				m.condition(e)
			} else {
				k := m.add(e, "without `case "+m.text(e)+"` of `"+m.text(x.Tag)+"`")
				tag := m.text(x.Tag)
				if called {
					tag = m.text(e)
				}
				m.wrap(e, fmt.Sprintf("mutantMiss(%d, %s, ", k, tag), ")")
			}
		}
	}
}

// assign makes the faults of an assignment: each of the new values left out.
func (m *source) assign(x *ast.AssignStmt) {
	switch {
	case x.Tok == token.DEFINE:
	case len(x.Lhs) == 1:
		m.statement(x)
	case len(x.Lhs) == len(x.Rhs):
		for i, e := range x.Rhs {
			if m.text(x.Lhs[i]) == "_" {
				continue
			}
			k := m.add(x, "without `"+m.text(x.Lhs[i])+" = "+m.text(e)+"`")
			m.wrap(e, fmt.Sprintf("mutantKeep(%d, %s, ", k, m.text(x.Lhs[i])), ")")
		}
	}
}

// logical says whether an expression's value is a yes or no made of others.
func logical(e ast.Expr) bool {
	b, ok := e.(*ast.BinaryExpr)
	if !ok {
		return false
	}
	switch b.Op {
	case token.LAND, token.LOR, token.EQL, token.NEQ, token.LSS, token.LEQ, token.GTR, token.GEQ:
		return true
	}
	return false
}

func (m *source) visit(n ast.Node) bool {
	switch x := n.(type) {
	case *ast.ForStmt:
		ast.Inspect(x.Body, m.visit) // a loop's head is left alone: its faults only hang
		return false
	case *ast.IfStmt:
		m.alone[x.Init] = true
		m.condition(x.Cond)
	case *ast.SwitchStmt:
		m.alone[x.Init] = true
		m.cases(x)
	case *ast.TypeSwitchStmt:
		m.alone[x.Init], m.alone[x.Assign] = true, true
	case *ast.CommClause:
		m.alone[x.Comm] = true
	case *ast.ReturnStmt:
		for _, e := range x.Results {
			if logical(e) {
				m.condition(e)
			}
		}
	case *ast.BinaryExpr:
		if x.Op == token.EQL || x.Op == token.NEQ || x.Op == token.GEQ || x.Op == token.LEQ {
			m.next(x.Y, m.text(x))
		}
	case *ast.CallExpr:
		if name := m.text(x.Fun); m.rules.Enters != "" && name == m.rules.Enters {
			m.next(x.Args[0], m.text(x))
		} else if m.rules.Asks != "" && name == m.rules.Asks {
			m.condition(x.Args[0])
		}
	case *ast.ExprStmt:
		if c, ok := x.X.(*ast.CallExpr); !ok || m.text(c.Fun) != "panic" {
			m.statement(x)
		}
	case *ast.AssignStmt:
		m.assign(x)
	case *ast.IncDecStmt:
		m.statement(x)
	}
	return true
}
