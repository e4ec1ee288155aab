package interlock

// mutant is the number of the fault that is awake; none is below zero.
var mutant = -1

// mutantNext is p, or with the fault the next phase.
func mutantNext(id int, p Phase) Phase {
	if mutant == id {
		return (p + 1) % phases
	}
	return p
}
