package liveness

// Light is by which light a camera sees.
type Light uint8

const (
	Day Light = iota
	Infrared
	lights
)
