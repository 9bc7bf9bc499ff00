package grant

import (
	"cmp"
	"context"
	"errors"
)

// Here is what a consent can count on where it is asked for.
type Here struct {
	Wanted    Way    // that whoever asks insists on; WayNone: it is chosen
	NoBrowser string // why no browser can be opened, "this is an SSH session"; "": one can
	NoKeys    bool   // nobody can type or paste
}

// Choose chooses the way of a consent: what the redirect URI needs if a browser
// can be opened, else a device code if the server has them and the grant is not
// written down, else the page is shown and its last address pasted. The grant
// stays the one that the connection declares. The problem is why the way that
// is insisted on cannot be gone; then nothing has changed.
func (c *Client) Choose(h Here) (problem string) {
	s := &c.Settings
	switch {
	case !s.Interactive:
		return ""
	case h.Wanted != WayNone:
		return c.insist(h.Wanted)
	case s.Way == WayDevice:
		return ""
	case h.NoBrowser == "":
		if s.Way == WayPaste {
			s.WayReason = "its redirect URI is not on this machine"
		}
		return ""
	}
	s.WayReason = "no browser here: " + h.NoBrowser
	switch {
	case c.offersDevice() && c.Conn.Grant == nil && len(c.Conn.AuthorizeParams) == 0:
		c.byDevice()
		c.otherwise = c.pasteOr(c.own, h)
	default:
		s.Way = c.pasteOr(c.own, h)
	}
	return ""
}

// pasteOr is the way of an answer that would come to this machine, from a
// browser that may run elsewhere: pasted as well, if that can be.
func (c *Client) pasteOr(own Way, h Here) Way {
	if h.NoKeys || c.Settings.ResponseMode == "form_post" {
		return own
	}
	return WayPaste
}

// insist goes the way that is asked for, or says why it cannot be gone.
func (c *Client) insist(way Way) string {
	s := &c.Settings
	switch {
	case way == s.Way:
	case s.Way == WayDevice:
		return "it declares the grant " + DeviceCodeGrant + ", whose code is entered on any device. Take the grant block out, or declare authorization_code"
	case way == WayDevice:
		if problem := c.noDevice(); problem != "" {
			return problem
		}
		c.byDevice()
	case way == WayBrowser:
		return "the answer cannot come back to this machine: its redirect URI is " + s.RedirectURI + ". Declare one on loopback, or set listen in the grant block"
	case s.ResponseMode == "form_post":
		return "with response_mode = \"form_post\" the answer is not in the address that could be pasted"
	default:
		s.Way = way
	}
	s.WayReason = "as asked for"
	return ""
}

// byDevice lets a device code take the place of the page in a browser.
func (c *Client) byDevice() {
	c.Settings.Way = WayDevice
	if !c.written("timeout") {
		c.Settings.Timeout = 0 // the life of the code
	}
}

// offersDevice: the server is known to have a device flow, before its metadata
// has been asked for.
func (c *Client) offersDevice() bool {
	return c.Preset.DeviceEndpoint != "" && c.noDevice() == ""
}

// noDevice says why a device code is out of the question.
func (c *Client) noDevice() string {
	p := c.Preset
	switch known := len(p.Grants) > 0; {
	case known && !p.Supports(DeviceCodeGrant), !known && p.DeviceEndpoint == "" && !canDiscover(p) && !p.Partial:
		return title(p) + " has no device flow (RFC 8628)"
	}
	for _, name := range []string{"prompt", "listen", "response_mode", "max_age", "acr_values", "claims", "params"} {
		if c.written(name) {
			return "its grant block sets " + name + ", which a device code cannot carry"
		}
	}
	return ""
}

// written reports whether the grant block sets an argument.
func (c *Client) written(name string) bool { return c.block != nil && c.block.Has(name) }

// flow is the grant that is walked: the declared one, unless a device code takes
// the place of the page.
func (c *Client) flow() string {
	if c.Settings.Way == WayDevice {
		return DeviceCodeGrant
	}
	return c.Settings.Type
}

// listens reports whether the answer comes to a listener on this machine, or may.
func (c *Client) listens() bool { return c.own == WayBrowser }

// errNoCode says that the server answered, and gave no device code.
var errNoCode = errors.New("the server gave no device code")

// deviceOr walks the device flow. Servers have it for some of their clients only:
// where it was chosen here and the server says no, before anybody was asked, the
// page in a browser is next.
func (c *Client) deviceOr(ctx context.Context, env Env) (*Grant, *Error) {
	g, e := c.authorizeByDevice(ctx, env)
	if e == nil || c.otherwise == WayNone || !errors.Is(e, errNoCode) || e.Kind == Temporary {
		return g, e
	}
	why := cmp.Or(e.Code, string(e.Kind))
	c.Settings.Way, c.otherwise = c.otherwise, WayNone
	c.Settings.Timeout = cmp.Or(c.Settings.Timeout, defaultTimeout)
	if e := c.prepare(ctx, env); e != nil {
		return nil, e
	}
	if g, e = c.authorizeByCode(ctx, env); e == nil {
		g.warn("the server gives this client no device codes (" + why + "), so the consent was given in a browser. " +
			"To be asked like that at once, write grant \"" + AuthorizationCode + "\" {} into the connection")
	}
	return g, e
}

// keepBlock remembers what the connection itself has decided.
func (b *builder) keepBlock() { b.c.own, b.c.block = b.c.Settings.Way, b.block }
