package console

import (
	"net/url"
	"strings"

	"rsc.io/qr"

	"github.com/oauthctl/oauthctl/cmd/oauthctl/internal/view"
	"github.com/oauthctl/oauthctl/engine/grant"
)

// The margin that ISO/IEC 18004 §9.1 asks for, in modules.
const quietZone = 4

// How many lines the rest of the screen with a device code takes.
const aroundQR = 19

// qr draws the verification URL as a QR code, if it is a plain https URL and
// the whole screen fits the terminal, and returns the words that mention it.
func (s *screen) qr(d grant.DeviceCode, dark bool, height int) string {
	target := d.VerificationURIComplete
	if target == "" {
		target = d.VerificationURI
	}
	u, err := url.Parse(target)
	if err != nil || u.Scheme != "https" || view.Safe(target) != target {
		return ""
	}
	code, err := qr.Encode(target, qr.L)
	if err != nil || code.Size+2*quietZone+2 > s.width || height > 0 && (code.Size+2*quietZone+1)/2+aroundQR > height {
		return ""
	}
	for _, l := range halfBlocks(code, s.Code != (view.Paint{}) || !dark) {
		s.line("  ", s.Code.On(l))
	}
	s.line()
	return "scan this or "
}

// halfBlocks draws two rows of modules as one line of text. ink says that
// blocks come out dark on a light ground; else the ground is drawn.
func halfBlocks(code *qr.Code, ink bool) []string {
	on := func(x, y int) bool { return code.Black(x, y) == ink }
	var out []string
	for y := -quietZone; y < code.Size+quietZone; y += 2 {
		var b strings.Builder
		for x := -quietZone; x < code.Size+quietZone; x++ {
			switch up, down := on(x, y), on(x, y+1); {
			case up && down:
				b.WriteRune('█')
			case up:
				b.WriteRune('▀')
			case down:
				b.WriteRune('▄')
			default:
				b.WriteRune(' ')
			}
		}
		out = append(out, b.String())
	}
	return out
}
