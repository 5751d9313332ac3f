/** Comparison of techniques: variants of one recipe, trained with an equal budget. */
package dev.jformer.studies.compare;
