package main

var badInputs = []BadInput{}
