package locktest

import (
	"os"
	"strings"
	"testing"
)

// TestTables prints the conformance of all drivers that left a table in the folder that the environment names (make conformance).
func TestTables(t *testing.T) {
	dir := os.Getenv(TablesDir)
	if dir == "" {
		dir = t.TempDir()
		t.Setenv(TablesDir, dir)
		whole, part := Table{Driver: "TestOne"}, Table{Driver: "TestTwo/quick"}
		whole.add("sends once (S12)", Kept)
		whole.add("jam", NotClaimed)
		part.add("jam", NotKept)
		whole.keep(t)
		part.keep(t)
		got, err := Join(dir)
		if err != nil {
			t.Fatal(err)
		}
		for _, line := range []string{
			"| property | TestOne | TestTwo-quick |", "| sends once (S12) | kept | NOT RUN |", "| jam | not claimed | NOT KEPT |", "| Can.Bolt | not claimed | not claimed |",
		} {
			if !strings.Contains(got, line+"\n") {
				t.Errorf("no line %q in\n%s", line, got)
			}
		}
		return
	}
	got, err := Join(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("conformance of the lock drivers\n%s", got)
	if strings.Contains(got, string(NotKept)) {
		t.Error("a driver does not keep what it claims")
	}
}
