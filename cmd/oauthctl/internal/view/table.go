package view

import "strings"

// table is a set of column widths. Columns stand two spaces apart, without
// rules: it copies, greps and wraps well.
type table struct{ widths []int }

const (
	gap       = 2
	minColumn = 12
)

// fit finds the widths for cells within width columns, and says how wide they
// are naturally. Columns named in shrink give way, the widest first, and their
// cells end with an ellipsis.
func fit(heads []string, cells [][]string, width int, shrink []int) (t table, natural int) {
	w := make([]int, len(heads))
	for i, h := range heads {
		w[i] = Width(h)
	}
	for _, row := range cells {
		for i, c := range row {
			w[i] = max(w[i], Width(c))
		}
	}
	total := gap * (len(w) - 1)
	for _, n := range w {
		total += n
	}
	natural = total
	for total > width {
		widest := -1
		for _, i := range shrink {
			if w[i] > minColumn && (widest < 0 || w[i] > w[widest]) {
				widest = i
			}
		}
		if widest < 0 {
			break
		}
		w[widest]--
		total--
	}
	return table{w}, natural
}

// total is the width of the whole table.
func (t table) total() int {
	n := gap * (len(t.widths) - 1)
	for _, w := range t.widths {
		n += w
	}
	return n
}

// row writes cells in their columns.
func (t table) row(cells []string) string {
	return t.cells(cells, func(_ int, s string) string { return s })
}

// cells writes cells in their columns, each through paint, which must not
// change its width.
func (t table) cells(cells []string, paint func(col int, s string) string) string {
	var b strings.Builder
	space := 0
	for i, c := range cells {
		c = clip(c, t.widths[i])
		if c != "" {
			b.WriteString(strings.Repeat(" ", space))
			b.WriteString(paint(i, c))
			space = 0
		}
		space += t.widths[i] - Width(c) + gap
	}
	return b.String()
}
