# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

# Two commands for whoever meets this first; everything else is nox (CONTRIBUTING.md).
.PHONY: help demo test clean

help:
	@echo 'make demo   deploy to this machine and prove that a conversation survives'
	@echo 'make test   everything that must pass before a change lands'
	@echo 'make clean  undo what demo and test made on this machine'

demo:
	@tools/demo

test:
	@tools/test

clean:
	@tools/clean
