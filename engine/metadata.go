package engine

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"strings"
	"sync"
)

// askingOnce is a client that asks for each metadata document once: a thousand
// connections at one server need one.
func askingOnce(c *http.Client) *http.Client {
	if c == nil {
		return nil
	}
	once := *c
	once.Transport = &documents{next: c.Transport, kept: map[string]*document{}}
	return &once
}

// documents keeps the metadata documents (RFC 8414 §3, OpenID Connect Discovery
// 1.0 §4) of one apply.
type documents struct {
	next http.RoundTripper
	mu   sync.Mutex
	kept map[string]*document
}

// document is the answer to one request, once it has been given.
type document struct {
	mu     sync.Mutex // held while somebody asks
	header http.Header
	body   []byte
	from   net.Addr
}

// RoundTrip implements [http.RoundTripper].
func (d *documents) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.Method != http.MethodGet || !strings.Contains(req.URL.Path, "/.well-known/") {
		return d.next.RoundTrip(req)
	}
	d.mu.Lock()
	doc := d.kept[req.URL.String()]
	if doc == nil {
		doc = &document{}
		d.kept[req.URL.String()] = doc
	}
	d.mu.Unlock()
	doc.mu.Lock()
	defer doc.mu.Unlock()
	if doc.body == nil {
		if res, err := doc.fetch(d.next, req); res != nil || err != nil {
			return res, err
		}
	} else {
		doc.trace(req.Context())
	}
	return &http.Response{
		Status: "200 OK", StatusCode: http.StatusOK, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: doc.header.Clone(), Body: io.NopCloser(bytes.NewReader(doc.body)), ContentLength: int64(len(doc.body)), Request: req,
	}, nil
}

// fetch asks. It returns what is not worth keeping: an error, or another answer than 200.
func (doc *document) fetch(next http.RoundTripper, req *http.Request) (*http.Response, error) {
	var from net.Addr
	ctx := httptrace.WithClientTrace(req.Context(), &httptrace.ClientTrace{GotConn: func(i httptrace.GotConnInfo) {
		if i.Conn != nil {
			from = i.Conn.RemoteAddr()
		}
	}})
	res, err := next.RoundTrip(req.WithContext(ctx))
	if err != nil || res.StatusCode != http.StatusOK {
		return res, err
	}
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		return nil, err
	}
	doc.header, doc.body, doc.from = res.Header, append([]byte{}, body...), from
	return nil, nil
}

// trace tells who traces the request where the answer came from: whether that
// is a public address decides what the document may point to.
func (doc *document) trace(ctx context.Context) {
	if t := httptrace.ContextClientTrace(ctx); t != nil && t.GotConn != nil && doc.from != nil {
		t.GotConn(httptrace.GotConnInfo{Conn: place{addr: doc.from}, Reused: true})
	}
}

// place is all that is left of a connection: where it led.
type place struct {
	net.Conn
	addr net.Addr
}

// RemoteAddr implements [net.Conn].
func (p place) RemoteAddr() net.Addr { return p.addr }
