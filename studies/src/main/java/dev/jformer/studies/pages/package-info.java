/**
 * Descriptions of techniques, generated from the catalogue, the Javadoc and the recorded results.
 * {@code jformer papers NAME} prints a {@link dev.jformer.studies.pages.PaperSheet}; {@link
 * dev.jformer.studies.pages.TechniquePages} writes {@code docs/techniques}.
 */
package dev.jformer.studies.pages;
