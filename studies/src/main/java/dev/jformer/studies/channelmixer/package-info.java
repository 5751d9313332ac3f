/** Studies of papers on channel mixers. */
package dev.jformer.studies.channelmixer;
