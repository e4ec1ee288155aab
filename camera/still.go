package camera

import "time"

// Still is one picture of a camera's, decoded and shrunk, in grey: what a fingerprint of the sensor's noise is taken from.
// It belongs to the receiver only for the length of the call that hands it over.
type Still struct {
	Media         time.Duration // of the coded picture it was decoded from, on that connection's media time; 0 if unknown
	Arrival       time.Duration // when the picture's last byte was read, on the hub's clock
	Width, Height int
	Luma          []byte // Width*Height values, row by row; 0 is black
	// Quantiser is that of the key picture it was decoded from, the mean of its slices': the coder's step doubles with each six.
	// 0: unknown, as of a JPEG.
	Quantiser float64
	// Changes is what the pictures between that key picture and the one before weigh: the lower quartile of their bytes, as they
	// would be at quantiser 26. 0: unknown.
	Changes float64
}
