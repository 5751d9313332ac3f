/**
 * The catalogue of papers: {@code papers.tsv} lists them, a line each; a paper whose technique is
 * here has a file {@code techniques/SLUG.json} beside it, which says what the technique is, how it
 * is switched on, when it helps, and where the results show that. See {@link
 * dev.jformer.studies.catalogue.Technique}.
 */
package dev.jformer.studies.catalogue;
