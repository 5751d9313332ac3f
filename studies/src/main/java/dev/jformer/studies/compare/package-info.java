/** Techniques side by side: variants of one recipe, trained under an equal budget. */
package dev.jformer.studies.compare;
