package sandbox

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"strconv"
	"strings"
	"syscall"
)

// transport carries requests to the server within the process.
type transport struct{ s *Server }

// RoundTrip implements [http.RoundTripper]. What a fault drops ends in an error
// like that of a real connection: one that was refused, or one that ended.
func (t *transport) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.Body != nil {
		defer func() { _ = req.Body.Close() }()
	}
	if err := req.Context().Err(); err != nil {
		return nil, err
	}
	r, err := receive(req)
	if err != nil {
		return nil, err
	}
	rec := newRecorder()
	aborted := t.serve(rec, r)
	if rec.refused {
		return nil, &net.OpError{Op: "dial", Net: "tcp", Err: fmt.Errorf("%s: %w", req.URL.Host, syscall.ECONNREFUSED)}
	}
	reportSent(req.Context())
	if err := req.Context().Err(); err != nil {
		return nil, err
	}
	if aborted && rec.status == 0 {
		return nil, io.EOF
	}
	return response(req, rec, aborted), nil
}

// reportSent tells who traces the request that it left.
func reportSent(ctx context.Context) {
	trace := httptrace.ContextClientTrace(ctx)
	if trace == nil {
		return
	}
	if trace.GotConn != nil {
		near, far := net.Pipe()
		defer func() { _, _ = near.Close(), far.Close() }()
		trace.GotConn(httptrace.GotConnInfo{Conn: inside{near}})
	}
	if trace.WroteRequest != nil {
		trace.WroteRequest(httptrace.WroteRequestInfo{})
	}
}

// inside is a connection for those who trace requests: it leads to this machine.
type inside struct{ net.Conn }

// LocalAddr implements [net.Conn].
func (inside) LocalAddr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)} }

// RemoteAddr implements [net.Conn].
func (inside) RemoteAddr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)} }

// receive makes of a client's request what a server gets.
func receive(req *http.Request) (*http.Request, error) {
	if req.URL == nil || req.URL.Host == "" {
		return nil, errors.New("sandbox: a request without a host")
	}
	r := req.Clone(context.WithValue(req.Context(), inProcess{}, true))
	r.RequestURI = req.URL.RequestURI()
	r.RemoteAddr = "127.0.0.1:0"
	if r.Host == "" {
		r.Host = req.URL.Host
	}
	if r.Header == nil {
		r.Header = http.Header{}
	}
	if r.Body == nil {
		r.Body = http.NoBody
	}
	return r, nil
}

// inProcess marks requests that came by Transport: their URL is the imitated one.
type inProcess struct{}

func (t *transport) serve(rec *recorder, r *http.Request) (aborted bool) {
	defer func() {
		if p := recover(); p != nil {
			if err, ok := p.(error); !ok || !errors.Is(err, http.ErrAbortHandler) {
				panic(p)
			}
			aborted = true
		}
	}()
	t.s.route(rec, r)
	return false
}

func response(req *http.Request, rec *recorder, aborted bool) *http.Response {
	status := max(rec.status, http.StatusOK)
	length := int64(rec.body.Len())
	var body io.Reader = bytes.NewReader(rec.body.Bytes())
	if aborted {
		if n, err := strconv.ParseInt(rec.header.Get("Content-Length"), 10, 64); err == nil {
			length = n
		}
		body = io.MultiReader(body, brokenReader{})
	}
	return &http.Response{
		Status:        strings.TrimSpace(strconv.Itoa(status) + " " + http.StatusText(status)),
		StatusCode:    status,
		Proto:         "HTTP/1.1",
		ProtoMajor:    1,
		ProtoMinor:    1,
		Header:        rec.header,
		Body:          io.NopCloser(body),
		ContentLength: length,
		Request:       req,
	}
}

type brokenReader struct{}

func (brokenReader) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }
