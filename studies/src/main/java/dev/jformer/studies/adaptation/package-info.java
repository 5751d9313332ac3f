/** Studies of papers on adapters, distillation and initialisation. */
package dev.jformer.studies.adaptation;
