package grant

import (
	"errors"
	"net/http"
)

// page is one of the pages that a browser can end at.
type page string

const (
	pageDone      page = "done"
	pageDenied    page = "denied"
	pageFailed    page = "failed"
	pageReceived  page = "received"
	pageAlready   page = "already"
	pageElsewhere page = "elsewhere"
)

// pageFor is the page for an error.
func pageFor(err error) page {
	var e *Error
	if errors.As(err, &e) && e.Kind == Denied {
		return pageDenied
	}
	return pageFailed
}

func write(w http.ResponseWriter, status int, p page) {
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", "default-src 'none'")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "no-store")
	h.Set("Referrer-Policy", "no-referrer")
	w.WriteHeader(status)
	_, _ = w.Write([]byte("<!doctype html><title>" + string(p) + "</title>"))
}
