// Package flags reads what the programs of the benchmarks are told in the same way.
package flags

import (
	"fmt"
	"strconv"
	"strings"
)

// Counts reads a list as in `1,16,128`, the value of the flag `name`.
func Counts(name, text string) ([]int, error) {
	found := []int{}
	for _, word := range strings.Split(text, ",") {
		number, err := strconv.Atoi(word)
		if err != nil || number < 1 {
			return nil, fmt.Errorf("%s: %q is not a count", name, word)
		}
		found = append(found, number)
	}
	return found, nil
}
