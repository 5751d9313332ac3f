/**
 * What can be read of a technique in one place: {@link dev.jformer.studies.pages.PaperSheet} is
 * what {@code jformer papers NAME} prints, {@link dev.jformer.studies.pages.TechniquePages} writes
 * {@code docs/techniques}. Both are made from the catalogue, the Javadoc and the recorded results,
 * so that they cannot say anything else than these.
 */
package dev.jformer.studies.pages;
