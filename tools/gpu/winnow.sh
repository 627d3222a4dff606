#!/bin/sh
# Winnow's command line out of an unpacked archive of `npm run gpu:pack`.
here=$(dirname "$(readlink -f "$0")")
exec "$here/node/bin/node" "$here/js/winnow.mjs" "$@"
