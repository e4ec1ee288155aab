package interlock

// mutant is the number of the fault that is switched on; none is below zero.
var mutant = -1

// cond is e, or one of three faults of it: not e, always true, always false.
func cond(id int, e bool) bool {
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

// edge is a comparison, or with the fault its neighbour: < for <=, and so on.
func edge(id int, e, equal bool) bool { return e != (mutant == id && equal) }

// keep is the new value, or with the fault the old one.
func keep[T any](id int, old, value T) T {
	if mutant == id {
		return old
	}
	return value
}

// shift is p, or with the fault the next phase.
func shift(id int, p Phase) Phase {
	if mutant == id {
		return (p + 1) % phases
	}
	return p
}

// miss is v, or with the fault a value that nothing has.
func miss[T ~uint8](id int, v T) T {
	if mutant == id {
		return 255
	}
	return v
}
