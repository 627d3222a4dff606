// Where the command line looks for the program of its own runs, those of a comparison.
import '../js/winnow.mjs';
