/** Studies of papers on learning in context. */
package dev.jformer.studies.incontext;
