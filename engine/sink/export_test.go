package sink

// ParseKubeconfig reads a kubeconfig as publishing does, up to the first request.
func ParseKubeconfig(text []byte, readFile func(string) ([]byte, error)) {
	k, err := parseKubeconfig(text)
	if err != nil {
		return
	}
	for _, c := range k.Contexts {
		_, _ = k.reach(c.Name, ".", readFile)
	}
}
