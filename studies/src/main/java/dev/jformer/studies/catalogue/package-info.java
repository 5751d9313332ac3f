/**
 * The catalogue of papers. {@code papers.tsv} has a line for each paper; {@code
 * techniques/SLUG.json} describes each implemented technique: what it is, how to switch it on, when
 * it helps, and which results show that. See {@link dev.jformer.studies.catalogue.Technique}.
 */
package dev.jformer.studies.catalogue;
