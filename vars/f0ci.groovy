// A step for Jenkins, from this repository as a shared library:
//   @Library('f0ci@COMMIT') _
//   f0ci command: 'validate'
//   def code = f0ci(command: 'promote', arguments: ['prod'], credentials: 'f0ci-git-token')
// Returns the exit code where that is 0 or 5 (waiting), and fails the stage otherwise. Needs a node, Bash, Git, Python 3.11.
int call(Map given = [:]) {
    def known = ['command', 'arguments', 'credentials', 'version']
    def stray = given.keySet() - known
    if (stray) {
        error "f0ci takes no '${stray.join("', '")}'; it takes ${known.join(', ')}"
    }
    def words = [given.get('command', 'validate')] + given.get('arguments', [])
    def settings = ['F0CI_WORDS=' + words.size(), 'F0CI_WANTED=' + given.get('version', '')]
    for (int at = 0; at < words.size(); at++) {
        // withEnv replaces variables in its values, and takes $$ for $
        settings << 'F0CI_WORD_' + at + '=' + words[at].toString().replace('$', '$$')
    }
    int code = 0
    def run = {
        withEnv(settings) {
            code = sh label: "f0ci ${words[0]}", returnStatus: true, script: SCRIPT()
        }
    }
    if (given.credentials) {
        withCredentials([string(credentialsId: given.credentials, variable: 'F0CI_GIT_TOKEN')]) {
            run()
        }
    } else {
        run()
    }
    if (code == 5) {
        echo 'waiting; `f0ci promote --continue` takes it further'
    } else if (code != 0) {
        error "f0ci ${words[0]}: exit ${code}"
    }
    return code
}

// every word reaches f0ci through the environment, so that no value is read as a program
String SCRIPT() {
    return '''#!/usr/bin/env bash
set -euo pipefail
if ! command -v f0ci > /dev/null; then
  venv="${WORKSPACE_TMP:-$WORKSPACE@tmp}/f0ci-venv"
  python3 -m venv --clear "$venv"
  export PATH="$venv/bin:$PATH"
  python -m pip install --quiet --disable-pip-version-check "f0ci${F0CI_WANTED:+==$F0CI_WANTED}"
fi
command=(f0ci)
for ((at = 0; at < F0CI_WORDS; at++)); do
  name="F0CI_WORD_$at"
  command+=("${!name}")
  unset "$name"
done
unset F0CI_WORDS F0CI_WANTED
"${command[@]}"
'''
}
