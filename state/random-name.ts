import { randomInt } from 'node:crypto';

const ADJECTIVES = words(`
  agile airy amber ample apt azure balmy blithe bold brave breezy bright brisk calm candid careful cheery chipper civil
  clear clever coastal cosy crisp curious daring deft devoted dreamy eager earnest easy elated fair fleet fluent fond
  frank free fresh gentle giddy glad golden graceful grand handy hardy hearty honest hopeful humble jaunty jolly jovial
  keen kind lively loyal lucid lucky mellow merry mild mirthful modest neat nimble noble open patient peppy placid plucky
  polite proud quick quiet radiant rapid ready rosy rustic sage serene sharp silent silver sincere sleek smiling snug
  sober solid spry stable steady stellar sturdy subtle sunny supple sure swift tender thrifty tidy tranquil trusty upbeat
  valiant vivid warm wise witty zesty`);

/** People who built, computed, measured and explained. */
const SURNAMES = words(`
  abel aiken airy allen ampere anning archimedes aryabhata atanasoff babbage backus banach banneker bayes bell berners
  bernoulli bessel bohr boole borg brahe braun brunel cantor carson cauchy celsius cerf chandra chebyshev church clarke
  codd conway copernicus cray curie dalton darwin davy dedekind dijkstra diophantus dirac easley eckert edison einstein
  engelbart erdos euclid euler faraday fermat fermi fibonacci floyd fourier franklin fuller galileo galois gauss germain
  gibbs goddard godel goodall gray hamilton hamming harvey heaviside hertz hilbert hoare hodgkin holberton hooke hopper
  hubble hypatia jacobi jemison johnson joule kahn kalman kapitza kay kelvin kepler kilby kleene knuth kovalevskaya
  lagrange lamarr lamport landau laplace leavitt leibniz lindgren linnaeus liskov lovelace lyell markov maxwell mccarthy
  mcclintock meitner mendel mendeleev minsky mirzakhani morse napier nash nernst neumann newton nightingale noether noyce
  oersted ohm pascal pasteur pauling payne perlman planck poincare poisson ptolemy quine ramanujan raman ride riemann
  ritchie roentgen rubin russell rutherford sagan salk sammet scott shannon shaw shirley simon sinoussi snow somerville
  spence stokes strachey sutherland swan tarjan tesla thales thompson torvalds turing vaughan villani volta wallace watt
  weber wegener wheeler wiener wilkes wirth wright yalow yonath zuse`);

/** `adjective_surname`, one of some twenty thousand. */
export function randomName(): string {
  return `${pick(ADJECTIVES)}_${pick(SURNAMES)}`;
}

function words(text: string): readonly string[] {
  return text.trim().split(/\s+/);
}

function pick(list: readonly string[]): string {
  return list[randomInt(list.length)] ?? '';
}
