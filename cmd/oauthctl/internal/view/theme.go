package view

import (
	"io"
	"strings"

	"github.com/charmbracelet/lipgloss"
	"github.com/muesli/termenv"

	"github.com/oauthctl/oauthctl/engine/plan"
)

// Paint colours text. The zero Paint leaves it as it is.
type Paint struct{ pre, post string }

// On returns s, painted. Empty text stays empty.
func (p Paint) On(s string) string {
	if s == "" {
		return ""
	}
	return p.pre + s + p.post
}

// Theme is the set of paints of one terminal. Signs and words carry the meaning;
// the paints only make it quicker to see.
type Theme struct {
	Strong Paint // headings, addresses
	Dim    Paint // labels, what is unchanged
	Good   Paint
	Bad    Paint
	Warn   Paint
	Info   Paint // URLs, commands to copy
	Again  Paint // a consent that replaces another
	Code   Paint // modules of a QR code: black on white on every background
}

// NewTheme returns the paints for a background; without colour all are empty.
// The renderer is the theme's own and knows profile and background from here:
// the terminal is never asked.
func NewTheme(color, dark bool) Theme {
	if !color {
		return Theme{}
	}
	r := lipgloss.NewRenderer(io.Discard, termenv.WithProfile(termenv.ANSI256))
	r.SetColorProfile(termenv.ANSI256)
	r.SetHasDarkBackground(dark)
	fg := func(light, dark string) lipgloss.Style {
		return r.NewStyle().Foreground(lipgloss.AdaptiveColor{Light: light, Dark: dark})
	}
	return Theme{
		Strong: paint(r.NewStyle().Bold(true)),
		Dim:    paint(fg("242", "246")),
		Good:   paint(fg("28", "114")),
		Bad:    paint(fg("160", "210")),
		Warn:   paint(fg("130", "221")),
		Info:   paint(fg("25", "117")),
		Again:  paint(fg("90", "176")),
		Code:   paint(r.NewStyle().Foreground(lipgloss.Color("16")).Background(lipgloss.Color("231"))),
	}
}

// paint takes a style apart into what stands before and behind the text, so
// that painting ten thousand lines costs two concatenations each.
func paint(s lipgloss.Style) Paint {
	pre, post, _ := strings.Cut(s.Render("x"), "x")
	return Paint{pre, post}
}

// action is the paint of an action's sign.
func (t Theme) action(a plan.Action) Paint {
	switch a {
	case plan.Authorize, plan.Import:
		return t.Good
	case plan.Reauthorize:
		return t.Again
	case plan.Refresh, plan.Update, plan.Publish:
		return t.Warn
	case plan.Revoke, plan.Forget, plan.Remove:
		return t.Bad
	}
	return t.Dim
}
