package setup

import (
	"strings"
	"testing"
)

// Whatever a configuration looks like, it gets exactly one door more and keeps everything else, or it is refused.
func FuzzAddDoor(f *testing.F) {
	for _, s := range []string{
		"id: a\ndoors:\n  - name: front\n    lock: {mqtt: {lock: x}}\n\n# later\nclips:\n  keep_for: 1h\n",
		"doors:\n- name: a\n- name: b # c\n#d", "doors: [{name: a}]", "doors:\n", "- a", "id: |\n  doors:\n  - x\ndoors:\n  - name: |\n      # no comment\n", "a: &x [1]\ndoors:\n  - *x\n", "---\ndoors:\n  - a: 1\n---\nb: 2\n", "\"doors\":\n  - name: a\n", "doors:\r\n  - name: a\r\n",
	} {
		f.Add(s)
	}
	const door = "- name: back\n  lock:\n    mqtt:\n      lock: y\n"
	f.Fuzz(func(t *testing.T, old string) {
		if len(old) > 4<<10 {
			return
		}
		text, err := addDoor(old, door)
		if err != nil {
			return
		}
		if err := added(old, text, door); err != nil || !strings.Contains(text, "name: back") || len(text) < len(old)+len(door) {
			t.Fatalf("%v: %q became %q", err, old, text)
		}
	})
}
