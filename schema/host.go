package schema

import (
	"errors"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/hashicorp/hcl/v2"
)

// ParseHost reads a host to which a token may go: a name or an IP address, and
// the port if it is not that of https. The result is how equal hosts are
// written alike: in lower case, and without the port 443.
func ParseHost(s string) (string, error) {
	if strings.Contains(s, "/") {
		return "", errors.New("is an address. Write the host alone, and the port if it is not 443")
	}
	name, port := s, ""
	if i := strings.LastIndexByte(s, ':'); i >= 0 && !strings.HasSuffix(s, "]") {
		name, port = s[:i], s[i+1:]
		n, err := strconv.ParseUint(port, 10, 16)
		if err != nil || n == 0 || port != strconv.FormatUint(n, 10) {
			return "", errors.New("has no port behind the colon: want a number from 1 to 65535")
		}
	}
	name = strings.ToLower(name)
	if inside, ok := strings.CutPrefix(name, "["); ok {
		ip, err := netip.ParseAddr(strings.TrimSuffix(inside, "]"))
		if err != nil || !ip.Is6() || ip.Zone() != "" || !strings.HasSuffix(inside, "]") {
			return "", errors.New("is not an IPv6 address in brackets")
		}
		name = "[" + ip.String() + "]"
	} else if problem := checkHostName(name); problem != "" {
		return "", errors.New(problem)
	}
	if port == "" || port == "443" {
		return name, nil
	}
	return name + ":" + port, nil
}

// checkHostName says what is wrong with the name of a host in lower case, or "".
func checkHostName(s string) string {
	switch {
	case strings.Contains(s, "*"):
		return "has a wildcard. List the hosts one by one: a token goes to exactly those"
	case strings.Contains(s, "@"):
		return "has a user name in it. Write the host alone"
	case strings.Contains(s, ":"):
		return "is not a host. An IPv6 address stands in brackets: [::1]"
	}
	for label := range strings.SplitSeq(s, ".") {
		if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' ||
			strings.Trim(label, "abcdefghijklmnopqrstuvwxyz0123456789-_") != "" {
			return "is not the name of a host. Names in other scripts are written as in DNS: xn--…"
		}
	}
	if len(s) > 253 {
		return "is too long"
	}
	return ""
}

// LoopbackHost reports whether a host, as ParseHost gives it, is this machine.
func LoopbackHost(host string) bool {
	if i := strings.LastIndexByte(host, ':'); i >= 0 && !strings.HasSuffix(host, "]") {
		host = host[:i]
	}
	return isLoopback(strings.Trim(host, "[]"))
}

// checkHosts finds mistakes in hosts, and leaves them as ParseHost writes them, in order.
func (c *Connection) checkHosts(o *Object) hcl.Diagnostics {
	var diags hcl.Diagnostics
	var hosts []string
	for i, s := range c.Hosts {
		host, err := ParseHost(s)
		switch {
		case err != nil:
			diags = append(diags, errorAt(elementRange(o.content.attrs["hosts"].Expr, i), "Invalid host", "The host %q %s.", s, err))
		case slices.Contains(hosts, host):
			diags = append(diags, warningAt(elementRange(o.content.attrs["hosts"].Expr, i), "Host listed twice", "The host %q is listed more than once. Remove one of them.", s))
		default:
			hosts = append(hosts, host)
		}
	}
	slices.Sort(hosts)
	c.Hosts = hosts
	return diags
}
