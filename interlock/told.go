package interlock

import "strings"

// What is the first half of the sentence: what is, without what to do next. It is for timelines.
func (r Reason) What() string {
	what, _, more := strings.Cut(r.Sentence(), ": ")
	if more {
		what += "."
	}
	return what
}

// ToResident is the sentence for the people at home. It differs from Sentence where that tells the courier what to do.
func (r Reason) ToResident() string {
	switch r {
	case LapseLost, LapseLate, LapseFrozen, LapseReplayed, LapseCovered:
		return strings.TrimSuffix(r.What(), ".") + ": the courier was told to leave, and the hub bolts the door as it closes."
	case LapseUnrecorded:
		return "The picture is not being kept: the courier was told to leave; check the hub's disk."
	case LapseUntrusted:
		return "The camera is not the one that was paired: the courier was told to leave; check the camera."
	case BlockedWhileOpen, RevokedInside:
		return strings.TrimSuffix(r.What(), ".") + ": the hub bolts it as it closes."
	}
	return r.Sentence()
}
