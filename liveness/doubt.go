package liveness

import "math"

const (
	// doubtMiss is how often a camera that is asked may miss a question all the same: as often as one that only just proved that
	// it answers, seven of eight (answerOf). doubtChance is how often a stream that does not hear the questions seems to answer
	// one: its own key picture, out of turn, within the time for an answer. A recording of a visit, with a key picture out of
	// turn every four seconds, does in 0.5 s of 4 s.
	doubtMiss, doubtChance = 1.0 / 8, 0.15
	// doubtOdds is how much more probable "does not hear us" must be than "answers as it proved to". By Wald's inequality an
	// honest camera that misses one question in eight, each by itself, is then accused at no more than one question in 10,000.
	// From no doubt it takes five misses in a row.
	doubtOdds = 1e4
	// doubtAgain is the share of that under which it is trusted again: three answers, which chance gives once in 300 times.
	doubtAgain = 0.6
)

// doubt weighs answers and misses of a camera that is asked: Page's cumulative sum of the logarithm of how much more probable it is
// that nobody hears the questions. A camera that misses one now and then is not accused for it (S18), and one that answers now and
// then by chance does not get away with it.
type doubt struct {
	odds float64 // 0: none
	bad  bool    // it was accused and has not redeemed itself
	row  int     // misses in a row, for people
}

// miss takes a question that was not answered, by weight: 1, or less if something else may have taken the answer along. It says
// whether the camera is accused.
func (d *doubt) miss(weight float64) bool {
	d.row++
	d.odds = min(math.Log(doubtOdds)+1, d.odds+weight*math.Log((1-doubtChance)/doubtMiss))
	d.bad = d.bad || d.odds >= math.Log(doubtOdds)
	return d.bad
}

// answer takes one that was, and says whether the camera is trusted: one that was accused has to answer three times.
func (d *doubt) answer() bool {
	d.row = 0
	d.odds = max(0, d.odds-math.Log((1-doubtMiss)/doubtChance))
	d.bad = d.bad && d.odds >= doubtAgain*math.Log(doubtOdds)
	return !d.bad
}
