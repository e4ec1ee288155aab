package proof

import (
	"encoding/json"
	"math"
	"strings"

	"eyebolt/ledger"
)

// tell follows the visits and clips that entries speak of.
func (c *checker) tell(e ledger.Entry) {
	if e.Kind == ledger.KindClip {
		c.filed(e)
	}
	if e.Visit == "" {
		return
	}
	i, known := c.visits[e.Visit]
	if !known {
		i = len(c.visited)
		c.visits[e.Visit] = i
		c.visited = append(c.visited, Visit{ID: e.Visit, Door: e.Door, Began: e.Time, First: e.Index, State: Unfinished})
	}
	v := &c.visited[i]
	v.Last = e.Index
	switch e.Kind {
	case ledger.KindVisit:
		var d ledger.VisitData
		if json.Unmarshal(e.Data, &d) != nil {
			return
		}
		if d.CourierName != "" {
			v.Courier = d.CourierName
		}
		if e.Word == ledger.WordEnded {
			ended := e.Time
			v.Ended, v.Outcome, v.Gap, v.State = &ended, d.Outcome, d.GapSeconds, Complete
			if d.Outcome == "incident" {
				v.State = Incident
			}
		}
	case ledger.KindGap:
		var d ledger.GapData
		if json.Unmarshal(e.Data, &d) != nil {
			return
		}
		if d.Open { // told again, longer or closed
			v.open = d.Seconds
		} else {
			v.open, v.Unwatched = 0, v.Unwatched+d.Seconds
		}
	case ledger.KindClip:
		switch e.Word {
		case ledger.WordFiled:
			v.Clips++
		case ledger.WordBackfilled:
			var d ledger.ClipData
			if json.Unmarshal(e.Data, &d) == nil && len(v.Backfilled) < maxBackfilled {
				v.Backfilled = append(v.Backfilled, Backfilled{Entry: e.Index, File: ledger.FolderClips + "/" + strings.TrimPrefix(d.Path, ledger.FolderClips+"/"), Camera: d.Camera, From: d.From, To: d.To})
			}
		}
	}
}

// judgeVisits gives each visit its state. From the first entry that is wrong on nothing is proven; a clip that is wrong
// concerns its own visit only.
func (c *checker) judgeVisits() []Visit {
	first, any := uint64(math.MaxUint64), false
	clips := map[uint64]bool{}
	for _, f := range c.findings {
		if f.What == ClipAltered || f.What == ClipMissing {
			clips[f.Entry] = true
		} else if !any {
			first, any = f.Entry, true
		}
	}
	for i := range c.visited {
		v := &c.visited[i]
		v.Unwatched = math.Round((v.Unwatched+v.open)*10) / 10
		if v.Gap > 0 {
			v.State = Gap
		}
		if v.Last >= first {
			v.State = Unproven
		}
	}
	for _, k := range c.clips {
		if i, ok := c.visits[k.visit]; ok && clips[k.entry] {
			c.visited[i].State = Unproven
		}
	}
	return c.visited
}
