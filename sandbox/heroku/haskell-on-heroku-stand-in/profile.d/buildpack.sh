# Sourced by every dyno of the app.
export BUILDPACK_DIR=/app/.buildpack
case ":$PATH:" in
*":$BUILDPACK_DIR/bin:"*) ;;
*) export PATH="$BUILDPACK_DIR/lib/halcyon:/app/bin:$BUILDPACK_DIR/bin:$PATH" ;;
esac
