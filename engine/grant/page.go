package grant

import (
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"sync"
)

// page names one of the pages that a browser can end at.
type page string

// The pages.
const (
	pageDone      page = "done"      // the tokens are saved
	pageDenied    page = "denied"    // the person or the server said no
	pageFailed    page = "failed"    // anything else went wrong
	pageReceived  page = "received"  // the answer is here; how it ends is not known yet
	pageAlready   page = "already"   // another answer came first
	pageElsewhere page = "elsewhere" // not an answer to what was asked
)

//go:embed page/page.html
var pageHTML string

//go:embed page/style.css
var pageStyle string

// pageText is what a page says. Everything on a page is written here: nothing of
// a request is ever shown, so that nobody can make this page say something.
type pageText struct{ Title, What, Next, Mark string }

const (
	check = "M5 12.5l4.6 4.6L19 7.6"
	cross = "M6.5 6.5l11 11M17.5 6.5l-11 11"
	info  = "M12 11v6M12 6.6v.2"
	arrow = "M4.5 12h15M13.5 6l6 6-6 6"
)

var pageTexts = map[page]pageText{
	pageDone: {"You are signed in", "The access that you gave is stored, encrypted, for oauthctl to use.",
		"You can close this window and go back to the terminal.", check},
	pageDenied: {"No access was given", "The sign-in was declined, so oauthctl received nothing and changed nothing.",
		"You can close this window. The terminal says how to try again.", cross},
	pageFailed: {"That did not work", "The answer of the sign-in arrived, but oauthctl could not use it. Nothing was saved.",
		"Go back to the terminal: it says what went wrong and what to do.", cross},
	pageReceived: {"Almost done", "oauthctl has received the answer of your sign-in and is still working on it.",
		"Go back to the terminal to see how it ends. You can close this window.", arrow},
	pageAlready: {"Already answered", "This sign-in has had its answer, and a second one changes nothing.",
		"You can close this window and go back to the terminal.", info},
	pageElsewhere: {"Nothing to see here", "oauthctl is waiting for the answer of a sign-in, and this page is not it.",
		"Finish the sign-in in the window that was opened for it.", info},
}

// pages are the finished pages, made when the first one is shown: oauthctl token
// never shows one. All parts are constants, so that nothing has to be escaped
// and no template engine is linked in.
var pages = sync.OnceValue(func() map[page][]byte {
	out := map[page][]byte{}
	for name, text := range pageTexts {
		fill := strings.NewReplacer("{{style}}", pageStyle, "{{name}}", string(name),
			"{{title}}", text.Title, "{{what}}", text.What, "{{next}}", text.Next, "{{mark}}", text.Mark)
		out[name] = []byte(fill.Replace(pageHTML))
	}
	return out
})

// pagePolicy lets a page use its own style, by its hash, and nothing else.
var pagePolicy = sync.OnceValue(func() string {
	sum := sha256.Sum256([]byte(pageStyle))
	return "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) +
		"'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
})

// write sends a page. The headers keep it from being framed, cached, sniffed, or
// telling the next page where the browser was: the address holds a code.
func write(w http.ResponseWriter, status int, p page) {
	body := pages()[p]
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Length", strconv.Itoa(len(body)))
	h.Set("Content-Security-Policy", pagePolicy())
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Cache-Control", "no-store")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Connection", "close")
	w.WriteHeader(status)
	_, _ = w.Write(body)
}

// pageFor is the page for an error.
func pageFor(err error) page {
	var e *Error
	if errors.As(err, &e) && e.Kind == Denied {
		return pageDenied
	}
	return pageFailed
}
