/** Studies of papers on tokens and words. */
package dev.jformer.studies.tokenization;
