package main

// CameraCmd is what a resident needs to set a camera up.
type CameraCmd struct {
	Find  CameraFindCmd  `cmd:"" help:"Find the cameras on this machine's networks (ONVIF)."`
	Look  CameraLookCmd  `cmd:"" help:"See what a camera offers, and what to write into the hub's configuration."`
	Learn CameraLearnCmd `cmd:"" help:"Have a camera that was moved, restarted, or goes over to infrared learned anew by the running hub."`
	Test  CameraTestCmd  `cmd:"" help:"Watch a camera for ten minutes and say what its link is worth (S18)."`
}
