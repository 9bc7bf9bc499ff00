package grant

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/url"
	"os"
	"strings"
)

// unreached is an error of the network in words of ours: which address, and why.
type unreached struct {
	what   string
	remedy string // "": nothing is better than to try again
	err    error
}

func (e *unreached) Error() string { return e.what }
func (e *unreached) Unwrap() error { return e.err }

// Timeout is looked for by [url.Error.Timeout].
func (e *unreached) Timeout() bool {
	var slow net.Error
	return errors.As(e.err, &slow) && slow.Timeout()
}

// reached dresses an error of a request to u, which proxy was to pass on if it is
// not nil.
func reached(u, proxy *url.URL, err error) error {
	var (
		inward errNotPublic
		dns    *net.DNSError
		cert   *tls.CertificateVerificationError
		op     *net.OpError
	)
	out := &unreached{err: err}
	where := "the server " + u.Host
	if proxy != nil {
		where = "the proxy " + proxy.Host
	}
	switch {
	case errors.Is(err, context.Canceled):
		return err
	case errors.As(err, &inward):
		out.what = inward.Error()
	case errors.As(err, &dns) && dns.IsNotFound:
		out.what = "cannot connect to " + where + ": there is no host of that name"
		out.remedy = "check the name, and the network of this machine; then try again"
	case errors.As(err, &dns):
		out.what = "cannot connect to " + where + ": its name cannot be looked up: " + cause(dns.Err, dns.IsTimeout)
	case errors.As(err, &cert):
		out.what = "the certificate of " + u.Host + " is not trusted: " + strings.TrimPrefix(cert.Err.Error(), "x509: ")
		out.remedy = "check the address, the clock of this machine and the authorities that it trusts"
	case errors.As(err, &op) && (op.Op == "dial" || op.Op == "proxyconnect"):
		out.what = "cannot connect to " + where + ": " + cause(op.Err.Error(), op.Timeout())
	case errors.As(err, &op) && (op.Op == "read" || op.Op == "write"):
		out.what = "the connection to " + where + " broke off: " + cause(op.Err.Error(), errors.Is(err, os.ErrDeadlineExceeded))
	default:
		return err
	}
	return out
}

// cause is the end of an error's text: the words before it name calls of the system.
func cause(text string, slow bool) string {
	if slow {
		return "no answer in time"
	}
	if i := strings.LastIndex(text, ": "); i >= 0 {
		return text[i+2:]
	}
	return text
}

// networkRemedy is what to do about a request that got no answer; "" if nothing is
// better than to try again.
func networkRemedy(err error) string {
	var e *unreached
	if errors.As(err, &e) {
		return e.remedy
	}
	return ""
}
