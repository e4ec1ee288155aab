package lock

import "time"

// After is age, but not older than the newest word before it, which was made at before. It is for what makes a home less safe: of two words
// that crossed, or under a wall clock that was set, nobody can say which came first, and a door that opens must not be overlooked as older
// than the word that it contradicts.
func After(age, at, before time.Duration) time.Duration { return min(age, max(at-before, 0)) }
