package main

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"eyebolt/web/webtest"
)

// docsBlock is the block of docs/OPERATING.md that begins with a comment naming a file.
func docsBlock(t *testing.T, file string) string {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("..", "..", "docs", "OPERATING.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, ok := strings.Cut(string(raw), "```yaml\n# "+file+"\n")
	body, _, ok2 := strings.Cut(rest, "```")
	if !ok || !ok2 {
		t.Fatalf("docs/OPERATING.md has no block %s", file)
	}
	return body
}

// program runs eyebolt as a stranger does, and keeps what it prints.
func program(t *testing.T, dir, binary string, args ...string) *said {
	t.Helper()
	out := &said{}
	cmd := exec.Command(binary, args...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = dir, out, out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		if err := cmd.Wait(); err != nil {
			t.Errorf("eyebolt %s ended with %v:\n%s", args[0], err, out)
		}
	})
	return out
}

// From nothing to a booked delivery, as docs/OPERATING.md says it, word for word: its two files, the real programs, the pretend
// devices, and three people with a browser each. Nobody calls the API by hand.
func TestTheFirstDayThroughThePages(t *testing.T) {
	dir := t.TempDir()
	binary := filepath.Join(dir, "eyebolt")
	if out, err := exec.Command("go", "build", "-o", binary, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	apps, bus := port(t), port(t)
	write := func(name, text string) {
		t.Helper()
		text = strings.NewReplacer("8420", apps, "4222", bus).Replace(text)
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	e := &e2e{t: t, ctx: t.Context(), dir: dir}
	find := func(where *said, what, expr string) string {
		t.Helper()
		var m []string
		err := waitEvery(e.ctx, patience, 100*time.Millisecond, func() bool {
			m = regexp.MustCompile(expr).FindStringSubmatch(where.String())
			return m != nil
		})
		if err != nil {
			t.Fatalf("no %s in:\n%s", what, where)
		}
		return m[len(m)-1]
	}

	write("control.yaml", docsBlock(t, "control.yaml"))
	control := program(t, dir, binary, "control", "--config", "control.yaml")
	link := find(control, "link for the first operator", `link="?(http://localhost:\d+/\?invite=[^\s"]+)`)

	devices := program(t, dir, binary, "demo", "--devices")
	find(devices, "door", `link: wired`)
	head, _, _ := strings.Cut(docsBlock(t, "hub.yaml"), "doors:\n")
	doors := devices.String()
	write("hub.yaml", head+doors[strings.Index(doors, "doors:\n"):])
	hub := program(t, dir, binary, "hub", "--config", "hub.yaml")
	code := find(hub, "pairing code", `enter the code in the app, at home" code=(\S+)`)
	key := find(hub, "key", ` key=(U\S+)`)
	record := find(hub, "record key", `record_key=(\S+)`)
	id := find(hub, "id", `hub is up" id=(\S+)`)
	find(hub, "word that the service does not know it", `the service does not know this hub's key: enter the hub's id, key and record_key in the console`)

	b := webtest.Start(t)
	operator, resident, courier := e.phone(b, "Olga"), e.phone(b, "Rosa"), e.phone(b, "Carlo")
	operator.Viewport(1440, 900)
	operator.joinBy(link)
	operator.press("Homes")
	operator.press("Add a home")
	operator.Type(`input[name=household]`, "Oak Street 7")
	operator.Type(`input[name=address]`, "7 Oak Street")
	operator.Click(`dialog button[type=submit]`)
	invite := operator.invitation()
	operator.press("Add its hub")
	operator.Type(`input[name=hub]`, id)
	operator.Type(`input[name=nkey]`, key)
	operator.Type(`input[name=ledger_key]`, record)
	operator.Click(`dialog button[type=submit]`)
	operator.press("Add a door")
	operator.Type(`input[name=door]`, "front")
	operator.Type(`input[name=title]`, "Front door")
	operator.Click(`dialog button[type=submit]`)
	find(hub, "word that it is connected", `bus: connected`)
	operator.reads("Connected, waits for a resident to pair it")

	resident.joinBy(invite)
	resident.reads("Pair with your hub")
	resident.Type(`input[name=code]`, code)
	resident.press("Pair")
	resident.see("the hub to be paired", `!document.querySelector('input[name=code]')`)
	resident.press("Read")
	resident.press("Sign with your passkey")
	resident.see("the consent to be signed", `[...document.querySelectorAll('.chip')].some(c => c.innerText === 'Signed')`)
	resident.reads("Secured")

	operator.press("Couriers")
	operator.press("Add")
	operator.Type(`input[name=name]`, "Carlo")
	operator.Click(`dialog button[type=submit]`)
	courier.joinBy(operator.invitation())
	courier.reads("No stops today")
	operator.press("Screening")
	operator.see("the screening's form", `document.querySelector('dialog[open] form')`)
	operator.Eval(`(() => { const s = document.querySelector('dialog[open] select'); s.value = 'passed'; s.dispatchEvent(new Event('input', {bubbles: true})) })()`, nil)
	operator.Type(`dialog[open] input:not([type=date])`, "BC-1")
	operator.Click(`dialog[open] button[type=submit]`)
	operator.see("the screening to be saved", `document.querySelector('dialog') === null`)
	operator.press("Deliveries")
	operator.press("Book")
	operator.see("a door that has consented", `document.querySelector('dialog[open] select')?.value !== ''`)
	operator.Type(`input[name=parcels]`, "EB-1")
	operator.Click(`dialog[open] button[type=submit]`)
	operator.see("the booking", `document.querySelector('dialog') === null && document.body.innerText.includes('No courier yet')`)
	operator.press("Assign")
	operator.press("Carlo")
	courier.reads("7 Oak Street")
	resident.reads("Courier assigned")
	for _, p := range []*phone{operator, resident, courier} {
		p.clean()
	}
}

// port is a free one.
func port(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, p, _ := net.SplitHostPort(l.Addr().String())
	return p
}

// invitation is the link that an open sheet shows; the sheet is closed.
func (p *phone) invitation() (link string) {
	p.e.t.Helper()
	p.see("the invitation", `document.querySelector('dialog[open] .code.box')`)
	p.Eval(`document.querySelector('dialog[open] .code.box').innerText.trim()`, &link)
	p.Click(`.sheet-head button`)
	p.see("the sheet to be closed", `document.querySelector('dialog') === null`)
	return link
}
