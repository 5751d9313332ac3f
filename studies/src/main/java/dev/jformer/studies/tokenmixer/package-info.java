/** Studies of papers on token mixers. */
package dev.jformer.studies.tokenmixer;
