# Sourced when a dyno starts.
export PATH="$HOME/.halcyon-sigv4/.ghc:$PATH"
