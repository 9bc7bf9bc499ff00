package view

import (
	"fmt"
	"time"

	"github.com/oauthctl/oauthctl/state"
)

// human is the view for people.
type human struct {
	o       Options
	theme   Theme
	planned bool // a plan stands right above
}

var _ View = (*human)(nil)

// NewHuman returns the view for people. It asks the terminal nothing: colour,
// background and width come with the options.
func NewHuman(o Options) View {
	if o.Width <= 0 {
		o.Width = 80
	}
	o.Width = max(o.Width, 30)
	if o.Now == nil {
		o.Now = time.Now
	}
	return &human{o: o, theme: NewTheme(o.Color, o.Dark)}
}

func (h *human) out() *page { return newPage(h.o.Out, h.theme, &h.o, 32<<10) }

// err is for a few lines: an apply makes one for every event.
func (h *human) err() *page { return newPage(h.o.Err, h.theme, &h.o, 4<<10) }

// Note implements View.
func (h *human) Note(format string, args ...any) {
	p := h.err()
	defer p.flush()
	p.text(0, Paint{}, SafeText(fmt.Sprintf(format, args...)))
}

// Addresses implements View.
func (h *human) Addresses(rows []state.Summary) {
	p := h.out()
	defer p.flush()
	for _, r := range rows {
		p.line(Safe(r.Addr.String()))
	}
}

// Version implements View.
func (h *human) Version(v VersionInfo) {
	p := h.out()
	defer p.flush()
	p.line("oauthctl ", p.Strong.On(Safe(v.Version)))
	built := ""
	if v.Commit != "" {
		built = "commit " + v.Commit
	}
	if v.Date != "" {
		built = join(built, "built "+v.Date)
	}
	built = join(built, v.Go)
	built = join(built, v.Platform)
	if built != "" {
		p.text(0, Paint{}, Safe(built))
	}
	if v.StateFormat > 0 {
		p.line("state format ", itoa(v.StateFormat))
	}
}

func join(a, b string) string {
	switch {
	case a == "":
		return b
	case b == "":
		return a
	}
	return a + ", " + b
}
