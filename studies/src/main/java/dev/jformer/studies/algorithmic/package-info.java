/** Studies of papers on algorithms, chains of thought and readable programs. */
package dev.jformer.studies.algorithmic;
