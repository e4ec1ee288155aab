package main

// HubCmds are what is done in the home. Without a word, the hub runs.
type HubCmds struct {
	Run   HubCmd      `cmd:"" default:"withargs" help:"Run the hub (the default): eyebolt hub --config hub.yaml."`
	Setup HubSetupCmd `cmd:"" help:"Pair a door's lock, contact and cameras in the browser, and write hub.yaml. Prints one link."`
	Walk  HubWalkCmd  `cmd:"" help:"Walk one door, at the door, with a phone: prove its lock, its contact and its cameras before anybody is let in unattended."`
}
